"""Departments' own lists to the tables of the exchange format.

`header_rows` finds where a sheet's table is, `aliases` what its headers mean, `proposal` puts a
`Mapping` together from them and names what a person must answer, `application` turns the rows into
raw tables by a confirmed mapping.
"""
