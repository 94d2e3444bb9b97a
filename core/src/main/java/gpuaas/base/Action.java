package gpuaas.base;

/** What can be done, and who may: the one table of permissions. */
public enum Action {
  /** To look at oneself. */
  SELF_READ(Where.ANYWHERE, Role.VIEWER),
  /** To change what is one's own: sessions, the password, invitations that one was sent. */
  SELF_WRITE(Where.ANYWHERE, Role.VIEWER),

  CATALOG_READ(Where.PROJECT, Role.VIEWER),
  SSH_KEY_READ(Where.PROJECT, Role.VIEWER),
  SSH_KEY_WRITE(Where.PROJECT, Role.MEMBER),
  LEASE_READ(Where.PROJECT, Role.VIEWER),
  LEASE_CREATE(Where.PROJECT, Role.MEMBER),
  LEASE_UPDATE(Where.PROJECT, Role.MEMBER),
  LEASE_STOP(Where.PROJECT, Role.MEMBER),
  TERMINAL_OPEN(Where.PROJECT, Role.MEMBER),
  EVENT_READ(Where.PROJECT, Role.VIEWER),
  DISK_READ(Where.PROJECT, Role.VIEWER),
  DISK_WRITE(Where.PROJECT, Role.MEMBER),
  BILLING_READ(Where.PROJECT, Role.VIEWER),
  API_KEY_READ(Where.PROJECT, Role.MEMBER),
  API_KEY_WRITE(Where.PROJECT, Role.MEMBER),
  WEBHOOK_READ(Where.PROJECT, Role.MEMBER),
  WEBHOOK_WRITE(Where.PROJECT, Role.ADMIN),
  MEMBER_READ(Where.PROJECT, Role.VIEWER),
  MEMBER_WRITE(Where.PROJECT, Role.ADMIN),
  SERVICE_ACCOUNT_READ(Where.PROJECT, Role.MEMBER),
  SERVICE_ACCOUNT_WRITE(Where.PROJECT, Role.ADMIN),
  PROJECT_WRITE(Where.PROJECT, Role.ADMIN),

  PROJECT_CREATE(Where.TENANT, Role.ADMIN),
  TENANT_READ(Where.TENANT, Role.VIEWER),
  TENANT_MEMBER_WRITE(Where.TENANT, Role.ADMIN),
  AUDIT_READ(Where.TENANT, Role.ADMIN),
  POLICY_WRITE(Where.TENANT, Role.ADMIN),

  BILLING_WRITE(Where.PLATFORM, Role.OWNER),
  /** Over everything that runs here: ends, cleans up, looks at what others have. */
  PLATFORM_OPERATE(Where.PLATFORM, Role.OWNER);

  private final Where where;
  private final Role least;

  Action(Where where, Role least) {
    this.where = where;
    this.least = least;
  }

  /** Where the role counts that allows it. */
  public enum Where {
    /** Whoever we know may do it. */
    ANYWHERE,
    /** In the project; who runs the tenant runs its projects. */
    PROJECT,
    /** In the tenant. */
    TENANT,
    /** An administrator of the platform, and nobody else. */
    PLATFORM
  }

  /** Where the role counts that allows it. */
  public Where where() {
    return where;
  }

  /** The least role that allows it there. */
  public Role least() {
    return least;
  }
}
