"""The writing half of a viewset: one transaction, one locked row, only what changed.

Each write happens in `write_transaction`, so the database signs it with the caller's name. The row
is found among what the caller may see and locked (FOR NO KEY UPDATE: others may still refer to it)
before anything is compared. The answer is read back through the projection in the same transaction,
so it equals the next GET.

Errors: 404 for a record the caller does not see, 409 `version_conflict` if `version` was sent and
is not the row's, 412 `precondition_failed` for an `If-Match` of another version, 409 `conflict`
where a unique value is taken, 400 for everything else.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any, ClassVar, cast

from django.conf import settings
from django.db.models import Model, QuerySet
from django.http import Http404
from django.utils import timezone
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from lexiflow.api.problems import PreconditionFailed, PreconditionRequired, VersionConflict
from lexiflow.api.projection import Row
from lexiflow.api.reading import RecordReads, writable_names
from lexiflow.api.remembering import record_key_of
from lexiflow.api.serializers import RecordSerializer
from lexiflow.db.transactions import write_transaction
from lexiflow.http.conditional import matches_record


class RecordCreates(RecordReads):
    """Adds create."""

    # Name of the route at which a record made on a nested route stands by itself: "party-detail".
    location_route: ClassVar[str] = ""

    def perform_create(self, serializer: RecordSerializer) -> Model:
        """Hook: makes the record from `serializer.validated_data`, inside the transaction."""
        return cast(Model, serializer.save())

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Creates a record."""
        self.shape()  # a wrong `fields` or `include` is found before anything is written
        serializer = self.record_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        with write_transaction(request.user.pk):
            made = self.perform_create(serializer)
            row = self.answer(made)
        return Response(row, status.HTTP_201_CREATED, headers={"Location": self._location(made)})

    def answer(self, instance: Model) -> Row:
        """The record as the next GET shows it; its identifier alone if the caller cannot see it."""
        return self.read_row(instance.pk) or {"id": instance.pk}

    def record_serializer(self, *args: Any, **kwargs: Any) -> RecordSerializer:
        return cast(RecordSerializer, self.get_serializer(*args, **kwargs))

    def get_serializer_context(self) -> dict[str, Any]:
        context = dict(super().get_serializer_context())
        if self.parent_record is not None and (parent := self.nested_in()) is not None:
            context |= {"parent_field": parent.field, "parent": self.parent_record}
        return context

    def writable_fields(self) -> Collection[str]:
        """Where messages of the database's constraints may go."""
        return writable_names(self.serializer_class) if self.serializer_class else ()

    def _location(self, made: Model) -> str:
        if self.location_route:
            return reverse(self.location_route, args=[made.pk], request=self.request)
        return self.request.build_absolute_uri(f"{self.request.path}{made.pk}/")


class RecordWrites(RecordCreates):
    """Adds partial update, soft delete and restore."""

    # --- Hooks: an application calls its services here ------------------------------------------
    def perform_update(self, serializer: RecordSerializer, changed: frozenset[str]) -> None:
        """Writes the `changed` fields of the locked row; not called when there are none."""
        serializer.save_changes(changed)

    def perform_destroy(self, instance: Any) -> None:
        instance.deleted_at = timezone.now()
        instance.save(update_fields=["deleted_at"])

    def perform_restore(self, instance: Any) -> None:
        instance.deleted_at = None
        instance.save(update_fields=["deleted_at"])

    # --- Actions --------------------------------------------------------------------------------
    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Changes the fields that are sent and no others."""
        self.shape()
        data = request.data
        with write_transaction(request.user.pk):
            instance = self.locked()
            serializer = self.record_serializer(instance, data=data, partial=True)
            check_if_match(request, instance, or_version=data)
            serializer.is_valid(raise_exception=True)
            check_version(instance, serializer.expected_version)
            if changed := serializer.changed_fields():
                self.perform_update(serializer, changed)
            row = self.answer(instance)
        return Response(row)

    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Deletes the record; `restore` brings it back."""
        with write_transaction(request.user.pk):
            instance = self.locked()
            check_if_match(request, instance)
            self.perform_destroy(instance)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @action(detail=True, methods=["post"])
    def restore(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Brings a deleted record back. A record that is not deleted stays as it is."""
        self.shape()
        with write_transaction(request.user.pk):
            deleted = self._in_path(self.queryset.deleted_visible_to(request.user))
            instance = lock(deleted.filter(pk=self.record_id()))
            if instance is None:
                instance = self.locked()
            else:
                self.check_object_permissions(request, instance)
                self.perform_restore(instance)
            row = self.answer(instance)
        return Response(row)

    # --- Parts ----------------------------------------------------------------------------------
    def change(self, operation: Callable[[Any], object]) -> Response:
        """For actions: calls `operation` with the locked record, answers with the record after."""
        self.shape()
        with write_transaction(self.request.user.pk):
            instance = self.locked()
            operation(instance)
            row = self.answer(instance)
        return Response(row)

    def locked(self) -> Any:
        """The record in the path, locked until the transaction ends. Raises Http404."""
        instance = lock(self.get_queryset().filter(pk=self.record_id()))
        if instance is None:
            raise Http404
        self.check_object_permissions(self.request, instance)
        return instance


def lock(queryset: QuerySet[Any]) -> Any:
    """The one row of `queryset`, locked, or None if there is none (any more)."""
    return queryset.order_by().select_for_update(no_key=True, of=("self",)).first()


def check_if_match(request: Request, instance: Any, *, or_version: Any = None) -> None:
    """`If-Match` names the version of the record that the caller has read.

    or_version: a body that may name it as well. Raises PreconditionFailed for another version,
    PreconditionRequired if none is named where one has to be.
    """
    header = request.META.get("HTTP_IF_MATCH")
    if header is None:
        named = isinstance(or_version, Mapping) and "version" in or_version
        if settings.REQUIRE_IF_MATCH and not named:
            raise PreconditionRequired
        return
    record = record_key_of(request, instance.pk)
    if not matches_record(header, version=instance.version, record=record):
        raise PreconditionFailed("`If-Match` is not the tag of the record as it is now.")


def check_version(instance: Any, expected: int | None) -> None:
    """Raises VersionConflict if the caller has read another version than the locked row's."""
    if expected is not None and expected != instance.version:
        raise VersionConflict(expected=expected, current=instance.version)
