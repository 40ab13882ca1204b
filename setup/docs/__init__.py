"""What the documentation site needs beside Sphinx and MyST: extensions of Sphinx, named in docs/conf.py."""
