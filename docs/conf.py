"""How Sphinx makes the pages of this folder into a site: `make docs`."""

import re

import attnray

project = "attnray"
author = "attnray developers"
copyright = f"{author}, Apache 2.0"
version = release = attnray.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
]
exclude_patterns = ["_build"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 4

# Backticks of docstrings.
default_role = "code"
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
napoleon_numpy_docstring = False
napoleon_use_ivar = True
# Types of other libraries, since nothing is fetched to link them, and rows: tables.md has them.
nitpick_ignore_regex = [
    (r"py:.*", r"(?!attnray).*"),
    (r"py:class", r"attnray\.metrics\.\w+\.\w+Row"),
]

html_theme = "furo"
html_title = f"attnray {version}"
html_copy_source = False
html_static_path = ["_static"]
html_css_files = ["site.css"]
# `$ ` and what a command printed are not copied.
copybutton_prompt_text = r"\$ |>>> |\.\.\. "
copybutton_prompt_is_regexp = True

linkcheck_anchors = False


def setup(app):
    """Pages of the repository's root have one here that includes them."""
    app.connect("source-read", _inside)


def _inside(app, name, source):
    source[0] = re.sub(r"\]\(\.\./(\w+)\.md", lambda link: f"]({link[1].lower()}.md", source[0])
