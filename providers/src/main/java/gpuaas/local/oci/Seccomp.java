package gpuaas.local.oci;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;

/**
 * The system call filter. Preferred is the profile that Debian maintains for all container engines;
 * its conditions on capabilities and processors are worked out here, since OCI knows none. Without
 * it, a short list of dangerous calls is refused, and {@link #maintained} says so.
 *
 * @param profile the OCI form
 * @param maintained whether it is the maintained profile
 */
public record Seccomp(ObjectNode profile, boolean maintained) {

  /** Where golang-github-containers-common puts the maintained profile. */
  public static final Path MAINTAINED = Path.of("/usr/share/containers/seccomp.json");

  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final String ALLOW = "SCMP_ACT_ALLOW";
  private static final String ERRNO = "SCMP_ACT_ERRNO";
  private static final int EPERM = 1;
  private static final int ENOSYS = 38;

  /** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET. */
  private static final long NAMESPACE_FLAGS = 0x7E02_0000L;

  private static final long WORD = 0xFFFF_FFFFL;

  /** Bits of an ioctl's number that say whose it is, and what they are for those of btrfs. */
  private static final int FAMILY_FIRST_BIT = 8;

  private static final int FAMILY_LAST_BIT = 15;
  private static final long BTRFS_FAMILY = 0x9400;

  /** FICLONE, FICLONERANGE and FIDEDUPERANGE: numbers of btrfs that are for all file systems. */
  private static final List<Long> CLONING = List.of(0x4004_9409L, 0x4020_940DL, 0xC018_9436L);

  /** SNAP_CREATE, SUBVOL_CREATE, SNAP_CREATE_V2 and SUBVOL_CREATE_V2. */
  private static final List<Long> SUBVOLUMES =
      List.of(0x5000_9401L, 0x5000_940EL, 0x5000_9417L, 0x5000_9418L);

  /**
   * Needed only for containers in containers, which the maintained profile allows. Refused here: a
   * user namespace of a tenant's own opens much of the kernel that nothing else does.
   */
  private static final Set<String> NESTING =
      Set.of(
          "fsconfig",
          "fsmount",
          "fsopen",
          "fspick",
          "mount",
          "mount_setattr",
          "move_mount",
          "open_tree",
          "pivot_root",
          "setns",
          "umount",
          "umount2",
          "unshare",
          "keyctl",
          "add_key",
          "request_key");

  /** What no environment needs: modules, clocks, mounts, other people's memory, new kernels. */
  private static final List<String> REFUSED =
      List.of(
          "acct",
          "bpf",
          "clock_adjtime",
          "clock_settime",
          "delete_module",
          "fanotify_init",
          "finit_module",
          "init_module",
          "io_uring_enter",
          "io_uring_register",
          "io_uring_setup",
          "ioperm",
          "iopl",
          "kcmp",
          "kexec_file_load",
          "kexec_load",
          "lookup_dcookie",
          "move_pages",
          "name_to_handle_at",
          "nfsservctl",
          "open_by_handle_at",
          "perf_event_open",
          "process_vm_readv",
          "process_vm_writev",
          "quotactl",
          "reboot",
          "settimeofday",
          "swapoff",
          "swapon",
          "syslog",
          "userfaultfd",
          "uselib",
          "vhangup",
          "vmsplice");

  /** The best filter that this machine has, for processes with these capabilities. */
  public static Seccomp load(Path maintained, String architecture, Set<String> capabilities)
      throws IOException {
    if (!Files.isReadable(maintained)) {
      return new Seccomp(ownList(architecture), false);
    }
    JsonNode source = JSON.readTree(maintained.toFile());
    return new Seccomp(resolve(source, architecture, capabilities), true);
  }

  /** Works out the conditions of a maintained profile. */
  static ObjectNode resolve(JsonNode source, String architecture, Set<String> capabilities) {
    ObjectNode profile = JSON.createObjectNode();
    profile.put("defaultAction", source.path("defaultAction").asText("SCMP_ACT_ERRNO"));
    if (source.has("defaultErrnoRet")) {
      profile.put("defaultErrnoRet", source.get("defaultErrnoRet").asInt());
    }
    // Only the native calls: 32-bit ones triple the time that the filter takes to load.
    profile.putArray("architectures").add("SCMP_ARCH_" + libseccompName(architecture));
    Set<String> plainlyAllowed = new TreeSet<>();
    ArrayNode conditional = JSON.createArrayNode();
    for (JsonNode rule : source.path("syscalls")) {
      if (!applies(rule, debianName(architecture), capabilities)) {
        continue;
      }
      if (rule.path("action").asText().equals(ALLOW) && rule.path("args").isEmpty()) {
        rule.path("names").forEach(name -> plainlyAllowed.add(name.asText()));
      } else {
        conditional.add(plain(rule));
      }
    }
    plainlyAllowed.removeAll(NESTING);
    plainlyAllowed.removeAll(Set.of("clone", "clone3"));
    ArrayNode rules = profile.putArray("syscalls");
    if (plainlyAllowed.remove("ioctl")) {
      addIoctlRules(rules);
    }
    addRule(rules, ALLOW, 0, plainlyAllowed);
    addRule(rules, ERRNO, EPERM, NESTING);
    rules.addAll(conditional);
    addCloneRules(rules);
    return profile;
  }

  /**
   * New threads and processes yes, new namespaces no. The flags of clone3 are in memory, where a
   * filter cannot look; told that there is no such call, libraries use clone.
   */
  private static void addCloneRules(ArrayNode rules) {
    addArgument(addRule(rules, ALLOW, 0, Set.of("clone")), 0, NAMESPACE_FLAGS, 0);
    addRule(rules, ERRNO, ENOSYS, Set.of("clone3"));
  }

  /**
   * All but those of btrfs: whoever makes a subvolume on a disk has left the disk's quota. A filter
   * knows no "unless", so what is allowed is what differs from theirs in at least one bit.
   */
  private static void addIoctlRules(ArrayNode rules) {
    for (int number = FAMILY_FIRST_BIT; number <= FAMILY_LAST_BIT; number++) {
      long bit = 1L << number;
      addArgument(addRule(rules, ALLOW, 0, Set.of("ioctl")), 1, bit, ~BTRFS_FAMILY & bit);
    }
    for (long call : CLONING) {
      addArgument(addRule(rules, ALLOW, 0, Set.of("ioctl")), 1, WORD, call);
    }
  }

  private static void addArgument(ObjectNode rule, int index, long mask, long value) {
    rule.putArray("args")
        .addObject()
        .put("index", index)
        .put("value", mask)
        .put("valueTwo", value)
        .put("op", "SCMP_CMP_MASKED_EQ");
  }

  private static ObjectNode addRule(ArrayNode rules, String action, int errno, Set<String> names) {
    ObjectNode rule = rules.addObject().put("action", action);
    if (errno != 0) {
      rule.put("errnoRet", errno);
    }
    names.stream().sorted().forEach(rule.putArray("names")::add);
    return rule;
  }

  private static ObjectNode ownList(String architecture) {
    ObjectNode profile = JSON.createObjectNode().put("defaultAction", ALLOW);
    profile.putArray("architectures").add("SCMP_ARCH_" + libseccompName(architecture));
    ArrayNode rules = profile.putArray("syscalls");
    Set<String> refused = new TreeSet<>(REFUSED);
    refused.addAll(NESTING);
    addRule(rules, ERRNO, EPERM, refused);
    // Allowed is the default here, so each flag that makes a namespace is a rule of its own.
    for (long flag = 1L << 17; flag <= 1L << 30; flag <<= 1) {
      if ((NAMESPACE_FLAGS & flag) != 0) {
        addArgument(addRule(rules, ERRNO, EPERM, Set.of("clone")), 0, flag, flag);
      }
    }
    for (long call : SUBVOLUMES) {
      addArgument(addRule(rules, ERRNO, EPERM, Set.of("ioctl")), 1, WORD, call);
    }
    addRule(rules, ERRNO, ENOSYS, Set.of("clone3"));
    return profile;
  }

  private static boolean applies(JsonNode rule, String architecture, Set<String> capabilities) {
    JsonNode includes = rule.path("includes");
    JsonNode excludes = rule.path("excludes");
    // A profile may ask for a kernel at least so new; all that we run on are newer.
    return (includes.path("arches").isEmpty()
            || holds(includes.path("arches"), Set.of(architecture)))
        && holdsAll(includes.path("caps"), capabilities)
        && !holds(excludes.path("arches"), Set.of(architecture))
        && !holds(excludes.path("caps"), capabilities);
  }

  private static boolean holds(JsonNode names, Set<String> known) {
    for (JsonNode name : names) {
      if (known.contains(name.asText())) {
        return true;
      }
    }
    return false;
  }

  private static boolean holdsAll(JsonNode names, Set<String> known) {
    for (JsonNode name : names) {
      if (!known.contains(name.asText())) {
        return false;
      }
    }
    return true;
  }

  private static ObjectNode plain(JsonNode rule) {
    ObjectNode plain = JSON.createObjectNode();
    for (String field : List.of("names", "action", "errnoRet", "args")) {
      if (rule.hasNonNull(field)) {
        plain.set(field, rule.get(field));
      }
    }
    return plain;
  }

  private static String libseccompName(String architecture) {
    return switch (architecture) {
      case "amd64" -> "X86_64";
      case "aarch64" -> "AARCH64";
      default -> architecture.toUpperCase(Locale.ROOT);
    };
  }

  private static String debianName(String architecture) {
    return architecture.equals("aarch64") ? "arm64" : architecture;
  }
}
