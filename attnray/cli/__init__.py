"""The command line: settings in, one clear line and an exit status out."""
