"""The Python interface: what `attnray.open` and `attnray.run` give."""
