"""The WSGI application. Refuses to start when a system check of ours reports an error."""

import gc
import logging
import os

from django.core.checks import Error, run_checks
from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lexiflow.settings")

application = get_wsgi_application()

_problems = run_checks(tags=["lexiflow"], include_deployment_checks=True)
for _problem in _problems:
    logging.getLogger(__name__).log(_problem.level, "%s", _problem)
_errors = [problem for problem in _problems if isinstance(problem, Error)]
if _errors:
    raise ImproperlyConfigured("\n".join(f"{e.id}: {e.msg} {e.hint}" for e in _errors))

# What is imported stays: collecting it again and again took a tenth of a large request's time, and
# writes into memory that the processes share.
gc.collect()
gc.freeze()
