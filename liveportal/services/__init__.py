"""What a `Portal` is made of: checked arguments, the sync of feeds, attachments, query groups."""
