from django.urls import path

from . import views

app_name = "home"

urlpatterns = [
    path("", views.index, name="index"),
    path("test-mail/", views.test_mail, name="test_mail"),
]
