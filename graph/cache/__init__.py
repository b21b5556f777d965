"""Files materialized beside a snapshot."""
