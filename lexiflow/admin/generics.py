"""Django's generic admin classes, spelled so that mypy and the interpreter both read them."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.admin.options import BaseModelAdmin, InlineModelAdmin, ModelAdmin
from django.core.paginator import Paginator

if TYPE_CHECKING:
    AnyBaseModelAdmin = BaseModelAdmin[Any]
    AnyModelAdmin = ModelAdmin[Any]
    AnyInline = InlineModelAdmin[Any, Any]
    AnyModelForm = forms.ModelForm[Any]
    AnyPaginator = Paginator[Any]
else:
    AnyBaseModelAdmin = BaseModelAdmin
    AnyModelAdmin = ModelAdmin
    AnyInline = InlineModelAdmin
    AnyModelForm = forms.ModelForm
    AnyPaginator = Paginator

__all__ = [
    "AnyBaseModelAdmin",
    "AnyInline",
    "AnyModelAdmin",
    "AnyModelForm",
    "AnyPaginator",
]
