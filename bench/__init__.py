"""Side-by-side measurements against django-apscheduler and APScheduler's SQLAlchemyJobStore."""
