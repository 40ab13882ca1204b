from uuid import uuid4

from django.db import models


class List(models.Model):
    name = models.CharField(max_length=100, unique=True)
    last_offset = models.BigIntegerField(default=0)
    is_private = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.name


class Entry(models.Model):
    list = models.ForeignKey(List, on_delete=models.CASCADE, related_name="entries")
    offset = models.BigIntegerField()
    uid = models.UUIDField(default=uuid4, unique=True)
    kind = models.CharField(max_length=20)
    text = models.TextField(default="")
    by = models.CharField(max_length=100)
    by_id = models.CharField(max_length=100)
    target = models.BigIntegerField(null=True)
    subject = models.CharField(max_length=100, default="")
    client_id = models.CharField(max_length=100, null=True)  # noqa: DJ001  # null is none, and not unique
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["list", "offset"], name="todo_offset_in_list"),
            models.UniqueConstraint(fields=["list", "by_id", "client_id"], name="todo_client_id_of_person_in_list"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.offset}"


class Share(models.Model):
    list = models.ForeignKey(List, on_delete=models.CASCADE, related_name="shares")
    person_id = models.CharField(max_length=100)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["list", "person_id"], name="todo_share_of_list")]

    def __str__(self) -> str:
        return self.person_id
