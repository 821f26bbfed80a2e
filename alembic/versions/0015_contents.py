"""contents of assets, by digests, of what a node is to boot with"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # NULL for what is on its way: it ends as a deployment whose contents are not known.
    op.add_column("boot_contexts", sa.Column("contents", JSONB(), nullable=True))


def downgrade() -> None:
    op.drop_column("boot_contexts", "contents")
