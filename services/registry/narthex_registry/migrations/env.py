"""What Alembic runs: the migrations, on the connection that `narthex_registry.schema` opened.

To write a new one, let Alembic compare: `alembic.command.revision(config, autogenerate=True)` with the config of
`narthex_registry.schema.upgrade`.
"""

from alembic import context

from narthex_registry.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,  # SQLite changes tables by copying them
)
context.run_migrations()
