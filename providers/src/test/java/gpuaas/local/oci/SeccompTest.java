package gpuaas.local.oci;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** The conditions of the maintained profile are worked out as its own readers do. */
class SeccompTest {

  private static final String SOURCE =
      """
      {"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38, "syscalls": [
        {"names": ["read", "mount", "clone", "clone3"], "action": "SCMP_ACT_ALLOW"},
        {"names": ["arm_only"], "action": "SCMP_ACT_ALLOW", "includes": {"arches": ["arm64"]}},
        {"names": ["ours"], "action": "SCMP_ACT_ALLOW", "includes": {"arches": ["amd64"]}},
        {"names": ["chroot"], "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_SYS_CHROOT"]}},
        {"names": ["bpf"], "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_SYS_ADMIN"]}},
        {"names": ["bpf"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1,
         "excludes": {"caps": ["CAP_SYS_ADMIN"]}},
        {"names": ["personality"], "action": "SCMP_ACT_ALLOW",
         "args": [{"index": 0, "value": 8, "op": "SCMP_CMP_EQ"}]}]}
      """;

  private static List<String> names(ObjectNode profile, String action) {
    List<String> names = new ArrayList<>();
    for (JsonNode rule : profile.get("syscalls")) {
      if (rule.get("action").asText().equals(action)) {
        rule.get("names").forEach(name -> names.add(name.asText()));
      }
    }
    return names;
  }

  @Test
  void conditionsOnProcessorAndCapabilitiesAreResolved() throws Exception {
    // Allowed is what applies to this processor and these capabilities; conditions on values stay.
    JsonNode source = JsonMapper.builder().build().readTree(SOURCE);
    ObjectNode profile = Seccomp.resolve(source, "amd64", Set.of("CAP_SYS_CHROOT"));

    assertThat(names(profile, "SCMP_ACT_ALLOW"))
        .containsExactlyInAnyOrder("read", "ours", "chroot", "personality", "clone");
    assertThat(names(profile, "SCMP_ACT_ERRNO")).contains("bpf", "mount", "unshare", "clone3");
    assertThat(profile.get("defaultErrnoRet").asInt()).isEqualTo(38);
    assertThat(profile.get("architectures").get(0).asText()).isEqualTo("SCMP_ARCH_X86_64");
  }

  @Test
  void callsOfBtrfsAreLeftOut() throws Exception {
    // Of all ioctls, those pass that differ from btrfs's in a bit of their family, and three.
    JsonNode source =
        JsonMapper.builder()
            .build()
            .readTree(
                """
                {"defaultAction": "SCMP_ACT_ERRNO",
                 "syscalls": [{"names": ["ioctl"], "action": "SCMP_ACT_ALLOW"}]}
                """);
    ObjectNode profile = Seccomp.resolve(source, "amd64", Set.of());
    assertThat(passes(profile, 0x5413)).as("TIOCGWINSZ").isTrue();
    assertThat(passes(profile, 0x4004_9409L)).as("FICLONE").isTrue();
    assertThat(passes(profile, 0x5000_940EL)).as("SUBVOL_CREATE").isFalse();
    assertThat(passes(profile, 0x5000_9418L)).as("SUBVOL_CREATE_V2").isFalse();
  }

  private static boolean passes(ObjectNode profile, long ioctl) {
    for (JsonNode rule : profile.get("syscalls")) {
      JsonNode value = rule.path("args").path(0);
      boolean about = rule.get("names").path(0).asText().equals("ioctl");
      if (about && (ioctl & value.get("value").asLong()) == value.get("valueTwo").asLong()) {
        return rule.get("action").asText().equals("SCMP_ACT_ALLOW");
      }
    }
    return false;
  }

  @Test
  void withoutTheMaintainedProfileDangerousCallsAreRefused() throws Exception {
    // The fallback says that it is one, and refuses what opens the kernel most.
    Seccomp fallback = Seccomp.load(Path.of("/no/such/file"), "amd64", Set.of());

    assertThat(fallback.maintained()).isFalse();
    assertThat(names(fallback.profile(), "SCMP_ACT_ERRNO"))
        .contains(
            "ioctl", "bpf", "kexec_load", "mount", "unshare", "userfaultfd", "io_uring_setup");
  }
}
