"""Messages of the wire, generated from proto/."""
