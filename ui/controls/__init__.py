"""Controls that pages share: charts, tables, downloads, pickers."""
