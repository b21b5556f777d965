"""The audit log: who did what when, in lines that hold each other, outside the graph.

`record_event` writes a line before the act; `acting_as` says who acts. What is found later by
`verify_audit_log`, and what is not, stands in SECURITY.md.
"""
