"""Extensions of Sphinx for the documentation site, named in docs/conf.py."""
