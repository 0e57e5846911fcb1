"""Addresses, prefixes, UUIDs and the root of errors: values with no behaviour beyond their own algebra."""
