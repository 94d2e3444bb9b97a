package gpuaas.gpuaas.wire;

import java.util.Locale;

/**
 * Every code that this dialect says no with, its usual status, and when it is said: the catalogue
 * that clients read. A code never changes; new ones may come.
 */
public enum ErrorCode {
  TOKEN_MISSING(
      401,
      "No credential came with a call that needs one. Send Authorization: Bearer and a token."),
  TOKEN_INVALID(
      401,
      "The token, the key or the assertion is none of ours, was revoked, or proves nothing. Get a"
          + " new one."),
  TOKEN_EXPIRED(401, "The token was good, and is too old. Get a new one."),
  AUTH_PERSONAL_DISABLED(
      401, "Names and passwords are not taken here. Log in through the browser."),
  AUTH_ENTERPRISE_REQUIRED(
      401, "This account has no password here. Log in through the browser, at its own provider."),
  INSUFFICIENT_PERMISSIONS(
      403,
      "Your role in this project or tenant, or your key, does not allow it. The message names the"
          + " right."),
  ADMIN_REQUIRED(403, "This is for administrators of the platform."),
  INVALID_REQUEST(
      400,
      "The request cannot be read: no JSON, an unknown path or method, or headers that contradict"
          + " each other."),
  VALIDATION_ERROR(
      400, "The request can be read and breaks a rule; details says which, field by field."),
  INSUFFICIENT_BALANCE(
      409,
      "The account does not cover the first part of what is asked for. Add credit, or ask for"
          + " less."),
  ALLOCATION_NOT_FOUND(404, "There is no such allocation, or it is not yours to know of."),
  ALLOCATION_GROUP_NOT_FOUND(404, "There is no such group of allocations in this project."),
  SSH_KEY_NOT_FOUND(404, "There is no such key in this project."),
  WEBHOOK_NOT_FOUND(404, "There is no such webhook endpoint in this project."),
  API_KEY_NOT_FOUND(404, "There is no such key in this project."),
  OPERATION_NOT_FOUND(404, "There is no such operation."),
  DELIVERY_NOT_FOUND(404, "There is no such delivery of this webhook endpoint."),
  PROJECT_NOT_FOUND(404, "There is no such project, or you are not in it."),
  BUDGET_NOT_FOUND(404, "There is no such budget."),
  DISK_NOT_FOUND(404, "There is no such disk in this project."),
  USER_NOT_FOUND(404, "There is no such user."),
  MEMBERSHIP_NOT_FOUND(404, "They are no member."),
  INVITATION_NOT_FOUND(404, "There is no such invitation in this project."),
  SERVICE_ACCOUNT_NOT_FOUND(404, "There is no such service account in this project."),
  SESSION_NOT_FOUND(404, "There is no such session of yours."),
  TENANT_NOT_FOUND(404, "There is no such tenant."),
  POLICY_NOT_FOUND(404, "There is no policy of this key, or no value was set there."),
  ALLOCATION_INVALID_STATE(
      409, "The allocation is in a state in which this cannot be done. The message names both."),
  INVALID_STATE(409, "It is in a state in which this cannot be done. The message names both."),
  SSH_KEY_EXISTS(409, "This public key is registered in this project already."),
  PROJECT_EXISTS(409, "The tenant has a project of this slug already."),
  SERVICE_ACCOUNT_EXISTS(409, "There is a service account of this id or slug already."),
  USER_EXISTS(409, "There is a user of this name already."),
  ALREADY_EXISTS(409, "It exists already."),
  SKU_UNAVAILABLE(
      409, "Nothing here could ever fill this: an unknown SKU, or a count that is not sold."),
  PRICE_TOO_HIGH(409, "It costs more than you set as the most."),
  QUOTA_EXCEEDED(
      409, "A budget, a quota or a limit on how many one may have. The message names it."),
  IDEMPOTENCY_CONFLICT(
      409,
      "The idempotency key was used for another request, or its first request is still being"
          + " answered."),
  RATE_LIMIT_EXCEEDED(
      429, "Too many calls. Retry-After says in how many seconds there may be more."),
  UPSTREAM_ERROR(
      503, "Something that we need is not there. Nothing was done; try again after Retry-After."),
  INTERNAL_ERROR(500, "Something failed here. It is logged under the correlation id.");

  private final int status;
  private final String when;

  ErrorCode(int status, String when) {
    this.status = status;
    this.when = when;
  }

  /** The word on the wire. */
  public String text() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** What it is said with, but for paths, methods and bodies that are wrong in HTTP's own terms. */
  public int status() {
    return status;
  }

  /** When it is said, and what to do. */
  public String when() {
    return when;
  }
}
