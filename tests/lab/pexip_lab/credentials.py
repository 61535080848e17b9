"""The lab's passwords. They protect a simulation on loopback addresses, so they are no secrets."""

WEB_USERNAME = "admin"
WEB_PASSWORD = "Lab-web-4711"
ADMIN_PASSWORD = "Lab-unix-4711"
NODE_PASSWORD = "Lab-node-4711"
