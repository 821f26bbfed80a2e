"""Makes ``gunicorn -c etc/drydock/gunicorn.conf.py drydock.wsgi:application`` serve as ``drydock-api`` does.

Address, workers and threads come from Drydock's own configuration (DRYDOCK_CONFIG_FILE); see drydock/serve.py.
"""

import os

from drydock.serve import environment_settings

globals().update(environment_settings(os.environ))
