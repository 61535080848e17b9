"""moto's IAM service, mended where it lets go what AWS keeps."""

from typing import Any

from moto.core.responses import ActionResult
from moto.iam import urls
from moto.iam.exceptions import DeleteConflictException
from moto.iam.models import IAMBackend, iam_backends
from moto.iam.responses import IamResponse


class LabIAMBackend(IAMBackend):
    """IAM of the account."""

    @property
    def _url_module(self) -> Any:
        # moto finds it by the name of the class's module, which is ours
        return urls

    def delete_user(self, user_name: str) -> None:
        user = self.get_user(user_name)
        if user.access_keys:
            raise DeleteConflictException("Cannot delete entity, must delete access keys first.")
        if self.get_groups_for_user(user_name):
            raise DeleteConflictException("Cannot delete entity, must remove users from group first.")
        super().delete_user(user_name)

    def delete_policy(self, policy_arn: str) -> None:
        policy = self.get_policy(policy_arn)
        if policy.attachment_count:
            raise DeleteConflictException("Cannot delete a policy attached to entities.")
        if len(policy.versions) > 1:
            raise DeleteConflictException(
                "This policy has more than one version. Before you delete a policy, you must delete the policy's "
                "versions. The default version is deleted with the policy."
            )
        super().delete_policy(policy_arn)

    def attach_user_policy(self, policy_arn: str, user_name: str) -> None:
        if policy_arn not in self.get_user(user_name).managed_policies:  # moto would count it twice
            super().attach_user_policy(policy_arn, user_name)


class LabIAMResponse(IamResponse):
    """Answers what moto does not know."""

    def list_service_specific_credentials(self) -> ActionResult:
        # whoever deletes a user asks for them; nobody can make any here
        self.backend.get_user(self._get_param("UserName"))
        return ActionResult({"ServiceSpecificCredentials": []})


def install() -> None:
    """Put them in moto's places. Once, before anything asks moto for a backend."""
    iam_backends.backend = LabIAMBackend
    urls.url_paths = dict.fromkeys(urls.url_paths, LabIAMResponse.dispatch)
