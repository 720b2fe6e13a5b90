"""Moving in from django-apscheduler: its tables are read, and left as they are."""
