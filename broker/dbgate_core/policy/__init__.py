"""Cedar policies to decisions.

`Policies.load(files, schema)` checks a set of rules whole; `connect`, `may` and `statement` answer
with a `Decision`. The files are in `policies/`, their interface is `policies/schema.cedarschema`,
docs/policy.md is for whoever writes them.
"""

from dbgate_core.policy.engine import Policies

__all__ = ["Policies"]
