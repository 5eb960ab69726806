"""PostgreSQL and Valkey for a checkout without DATABASE_URL or REDIS_URL: nothing to install.

`ensure(home)` starts both as the calling user and holds them until the calling process ends. All
processes of one home folder share one pair of servers, looked after by one supervisor. When the
last one has ended, they stop after LEXIFLOW_DEVSERVICES_GRACE_SECONDS (3). Data is kept. Whoever is
killed, the next `ensure()` finds or makes a working pair, with every committed row.

For development, demonstrations and tests on one machine; production never imports this package.
Addresses are a function of the home folder's path. Other variables: LEXIFLOW_HOME (that folder),
LEXIFLOW_POSTGRES_BIN (another PostgreSQL's programs). `paths` says who can reach what.
"""

from lexiflow.devservices.client import Status, endpoints, ensure, keep, status, stop
from lexiflow.devservices.errors import DevServicesError
from lexiflow.devservices.paths import Endpoints, project_home
from lexiflow.devservices.temporary import TemporaryServers, erase, temporary

__all__ = [
    "DevServicesError",
    "Endpoints",
    "Status",
    "TemporaryServers",
    "endpoints",
    "ensure",
    "erase",
    "keep",
    "project_home",
    "status",
    "stop",
    "temporary",
]
