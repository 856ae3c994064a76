"""The page that `attnray explore` serves: the cases of a run, filtered, each with its attention."""
