"""Print the GraphQL schema as gqlchat/schema.graphql has it: `make schema` writes it there."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mysite.test_settings")
django.setup()

from mysite.graphql import schema  # noqa: E402 - its types need Django's models

print(schema.as_str())
