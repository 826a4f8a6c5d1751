"""OpenStack Swift with its S3 interface, all its servers in one process, below the folder given. Prints the port of the proxy."""
import os
import sys

import eventlet

eventlet.monkey_patch()
from eventlet import wsgi
from swift.common import utils

utils.HASH_PATH_SUFFIX, utils.HASH_PATH_PREFIX = b"test", b""
utils.validate_configuration = lambda: None
from swift.account.server import AccountController
from swift.common.middleware import catch_errors, gatekeeper, tempauth
from swift.common.middleware.s3api import s3api
from swift.common.ring import RingBuilder
from swift.container.server import ContainerController
from swift.obj.server import ObjectController
from swift.proxy.server import Application

folder = sys.argv[1]
os.makedirs(os.path.join(folder, "devices", "d"))


class Cache(dict):
    """Instead of memcached."""

    def __bool__(self):
        return True

    def get(self, key, raise_on_error=False):
        return dict.get(self, key)

    def set(self, key, value, **_):
        self[key] = value

    def incr(self, key, delta=1, **_):
        self[key] = (self.get(key) or 0) + delta
        return self[key]

    def delete(self, key, **_):
        self.pop(key, None)


cache = Cache()


def cached(app):
    def call(env, start):
        env["swift.cache"] = cache
        return app(env, start)

    return call


class Quiet:
    def write(self, *_):
        pass


conf = {
    "devices": os.path.join(folder, "devices"),
    "mount_check": "false",
    "swift_dir": folder,
    "fallocate_reserve": "0",
    "disable_fallocate": "true",
    "account_autocreate": "true",
}
servers = {"account": AccountController, "container": ContainerController, "object": ObjectController}
sockets = {}
for kind in servers:
    sockets[kind] = eventlet.listen(("127.0.0.1", 0))
    port = sockets[kind].getsockname()[1]
    ring = RingBuilder(1, 1, 0)
    ring.add_dev({"id": 0, "region": 1, "zone": 1, "ip": "127.0.0.1", "port": port, "device": "d", "weight": 1})
    ring.rebalance()
    ring.get_ring().save(os.path.join(folder, kind + ".ring.gz"))
for kind, server in servers.items():
    eventlet.spawn(wsgi.server, sockets[kind], server(conf), Quiet(), log_output=False)
app = tempauth.filter_factory({"user_test_tester": "testing .admin"})(Application(conf))
app = s3api.filter_factory({"allow_multipart_uploads": "false", "auth_pipeline_check": "false"})(app)
app = catch_errors.filter_factory({})(gatekeeper.filter_factory({})(cached(app)))
proxy = eventlet.listen(("127.0.0.1", 0))
print(proxy.getsockname()[1], flush=True)
wsgi.server(proxy, app, Quiet(), log_output=False)
