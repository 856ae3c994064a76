"""What pages carry with them: one script, one style, data, and the policy that allows no other."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zlib
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

from markupsafe import Markup

SCRIPTS = Path(__file__).parent / "scripts"
STYLES = Path(__file__).parent / "styles"
#: Of what stands in the script of a page.
LICENCES = (
    "Tables are sorted by DataTables and its extensions (MIT), which come with jQuery, JSZip, pako "
    "and FileSaver.js (MIT) and icons of Lucide (ISC) in the package itables (MIT); their notices "
    "stand in the script of this page, whose other parts are attnray’s (Apache 2.0)."
)
#: Has what all others build on.
BASE = "base"


def script(*folders: Path) -> Markup:
    """The script of a page: DataTables, the components of all pages, and those of more folders.

    Each file has plain functions. Its component is begun by `start(component)` and finds its
    place on the page by itself, so that the order of files does not matter.
    """
    ours = _together([SCRIPTS, *folders], ".js")
    return Markup(_inline(f"{_data_tables()}\n{ours}"))


def component(begin: str) -> Markup:
    """The script of a page with a component that this begins, and with no table."""
    return Markup(_inline(f"{_together([SCRIPTS], '.js')}\nstart(() => {{ {begin} }});\n"))


def style(*folders: Path) -> Markup:
    """The style of a page: that of all pages, and those of more folders."""
    return Markup(_together([STYLES, *folders], ".css"))


def policy(script: str, style: str, asks: str = "'none'") -> str:
    """What a page may do: load nothing and run this script alone, whatever got into it.

    The attributes `style` are those of figures; `asks` is whom it may ask.
    """
    return (
        f"default-src 'none'; script-src {_digest(script)}; style-src-elem {_digest(style)}; "
        f"style-src-attr 'unsafe-inline'; base-uri 'none'; connect-src {asks}; form-action {asks}"
    )


def embedded(value: object) -> Markup:
    """A value as JSON that may stand in an element `script`."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Markup(text.replace("<", "\\u003c"))


def packed(value: object) -> str:
    """A large value, as `unpacked` of the script takes it: base64 of deflated JSON."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return base64.b64encode(zlib.compress(text.encode(), 9)).decode()


def _together(folders: Iterable[Path], ending: str) -> str:
    """All files of folders, in the order of their names, those that others build on first."""
    found = [path for folder in folders for path in sorted(folder.glob(f"*{ending}"))]
    found.sort(key=lambda path: path.stem != BASE)
    return "".join(path.read_text("utf-8") for path in found)


def _data_tables() -> str:
    """`dataTables()`, which gives what the module of the package itables exports."""
    package = find_spec("itables")  # to import it takes seconds: it imports pandas
    assert package is not None
    assert package.origin is not None
    module = Path(package.origin).with_name("html").joinpath("dt_bundle.js").read_text("utf-8")
    body, exports, licences = re.split(r"\bexport\s*\{([^}]*)\};", module)
    names = re.sub(r"([\w$]+) as ([\w$]+)", r"\2: \1", exports)
    return (
        f"let loadedDataTables;\nfunction dataTables() {{ return loadedDataTables ??= (() => {{\n"
        f"{body}\nreturn {{{names}}};\n{licences}\n}})(); }}"
    )


def _inline(text: str) -> str:
    """A script as it may stand in an element: in its strings and patterns `<` may be escaped."""
    return re.sub(r"<(?=!--|/?script)", r"\\x3C", text, flags=re.IGNORECASE)


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
