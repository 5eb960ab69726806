from django.urls import path

from lexiflow.introspection.views import TablesView, TableView

urlpatterns = [
    path("tables/", TablesView.as_view(), name="schema-tables"),
    path("tables/<str:name>/", TableView.as_view(), name="schema-table"),
]
