"""How the forms of all pages are rendered: labels without a colon, as in the templates that write their own."""

from typing import Any

from django.forms import BoundField
from django.forms.renderers import DjangoTemplates


class PlainLabelField(BoundField):
    """A field whose label has no suffix, unless its template asks for one."""

    def label_tag(self, contents: Any = None, attrs: Any = None, label_suffix: Any = None, tag: Any = None) -> Any:
        return super().label_tag(contents, attrs, label_suffix or "", tag)


class FormRenderer(DjangoTemplates):
    bound_field_class = PlainLabelField
