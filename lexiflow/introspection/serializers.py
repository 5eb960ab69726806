"""The shapes of tables."""

from typing import Any

from rest_framework import serializers


class _SizesSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    row_estimate = serializers.IntegerField(
        allow_null=True, help_text="PostgreSQL's; null before the table was first analyzed."
    )
    total_bytes = serializers.IntegerField()
    table_bytes = serializers.IntegerField()
    index_bytes = serializers.IntegerField()
    other_bytes = serializers.IntegerField(help_text="Long values, free space and visibility maps.")


class TableSummarySerializer(_SizesSerializer):
    columns = serializers.IntegerField()
    indexes = serializers.IntegerField()


class TablesSerializer(serializers.Serializer[Any]):
    results = TableSummarySerializer(many=True)
    unapplied_migrations = serializers.ListField(child=serializers.CharField())


class ColumnSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    type = serializers.CharField()
    is_nullable = serializers.BooleanField()
    is_generated = serializers.BooleanField()
    is_identity = serializers.BooleanField()
    comment = serializers.CharField(allow_null=True)

    def get_fields(self) -> dict[str, Any]:
        """`default` is a word of the class's own."""
        default = serializers.CharField(allow_null=True, help_text="SQL.")
        return {**super().get_fields(), "default": default}


class ConstraintSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    kind = serializers.CharField()
    columns = serializers.ListField(child=serializers.CharField())
    references = serializers.CharField(allow_null=True, help_text="A table.")
    definition = serializers.CharField()
    is_validated = serializers.BooleanField()


class IndexSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    method = serializers.CharField()
    is_unique = serializers.BooleanField()
    is_primary = serializers.BooleanField()
    is_usable = serializers.BooleanField(help_text="False: its making was broken off.")
    columns = serializers.ListField(child=serializers.CharField(), help_text="Or expressions.")
    condition = serializers.CharField(allow_null=True)
    bytes = serializers.IntegerField()
    scans = serializers.IntegerField(help_text="Since the statistics were last reset.")
    definition = serializers.CharField()


class TriggerSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    is_enabled = serializers.BooleanField()


class TableSerializer(_SizesSerializer):
    columns = ColumnSerializer(many=True)
    constraints = ConstraintSerializer(many=True)
    indexes = IndexSerializer(many=True)
    triggers = TriggerSerializer(many=True)
