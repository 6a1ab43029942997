"""The catalogs of governed databases, read from pg_catalog and kept for a while."""

from dbgate_broker.catalog.service import CatalogService, Login, read_catalog

__all__ = ["CatalogService", "Login", "read_catalog"]
