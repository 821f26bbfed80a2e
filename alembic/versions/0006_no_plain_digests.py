"""No digest of a bundle is kept: with it a copy of the database could be asked whether a guess is right.

Revision ID: 0006
Revises: 0005
"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.alter_column("boot_bundles", "etag", server_default="")
    # API processes of 0.1 then send an ETag that is no digest, which the boot script does not check.
    op.execute("UPDATE boot_bundles SET etag = '' WHERE etag <> ''")


def downgrade() -> None:
    op.alter_column("boot_bundles", "etag", server_default=None)
