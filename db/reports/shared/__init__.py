"""What reports share: ranges, filters, spans, currencies."""
