"""How things are drawn; what is drawn, sections say."""
