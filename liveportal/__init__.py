"""The expert's side of a paid live-help platform, at the terminal and in Python.

Nothing is imported here, so that `import liveportal` and `liveportal --version` stay quick.
"""

__version__ = "0.1.0"
