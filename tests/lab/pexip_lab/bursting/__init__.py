"""Dynamic bursting: the part of a Management Node that starts and stops overflow nodes in AWS.

`rules` decides, `cloud` speaks to AWS, `status` writes what the API shows, and `engine` puts them together.
"""
