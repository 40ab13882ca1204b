#!/usr/bin/env python
"""Django's command line for this site."""

import os
import sys

if __name__ == "__main__":
    testing = sys.argv[1:2] == ["test"]
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mysite.test_settings" if testing else "mysite.settings")

    if sys.argv[1:2] == ["setup"]:  # which writes what the settings need
        from mysite import setting_up

        setting_up.main(sys.argv[2:])
        sys.exit()

    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
