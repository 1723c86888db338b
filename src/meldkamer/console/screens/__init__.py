"""Facts into what a template shows: one module a part of the desk. Values in, values out."""
