"""An app whose jobs the admin's tests and screenshots are made of."""
