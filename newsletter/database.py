"""``db``: the session of a web request. Workers and commands use plain sessions of a Process."""

from flask_sqlalchemy import SQLAlchemy

from newsletter.orm import Base

# What was read stays readable after a commit; writing() expires it on purpose.
db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False})
