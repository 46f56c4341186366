// What add-board does, by Kafka's own client: names come from standard input.
// java -cp KAFKA/libs/* AddBoard.java --add|--reader|--remove BROKER FILE COPIES

import java.io.BufferedReader;
import java.io.FileReader;
import java.io.InputStreamReader;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;

public class AddBoard {
  static final int BATCH = 500; // Kafka takes at most 10000 records at once
  static final String NAME = "[A-Za-z0-9_.][A-Za-z0-9._-]*";
  static final int PARTITIONS = 1;

  public static void main(String[] args) throws Exception {
    List<String> names = names();
    Properties settings = new Properties();
    try (FileReader file = new FileReader(args[2])) {
      settings.load(file);
    }
    settings.put("bootstrap.servers", args[1]);
    short copies = Short.parseShort(args[3]);
    try (Admin admin = Admin.create(settings)) {
      for (int i = 0; i < names.size(); i += BATCH) {
        List<String> part = names.subList(i, Math.min(i + BATCH, names.size()));
        change(admin, args[0], part, copies);
      }
    } catch (ExecutionException e) {
      fail(1, e.getCause().getMessage());
    }
    System.out.println(names.size() + (names.size() == 1 ? " name: " : " names: ")
        + "done, " + args[0].substring(2));
  }

  static void change(Admin admin, String what, List<String> names, short copies)
      throws Exception {
    List<AclBinding> rights = new ArrayList<>();
    for (String name : names) {
      rights.addAll(what.equals("--reader") ? reader(name) : board(name));
    }
    if (what.equals("--remove")) {
      admin.deleteAcls(rights.stream().map(AclBinding::toFilter)
          .collect(Collectors.toList())).all().get();
      return;
    }
    if (what.equals("--add")) {
      topics(admin, names, copies);
    }
    admin.createAcls(rights).all().get();
    await(admin, rights.get(rights.size() - 1));
  }

  // A broker hears of rights after it has made the topics before them.
  static void await(Admin admin, AclBinding right) throws Exception {
    for (int i = 0; i < 3000; i++) {
      if (!admin.describeAcls(right.toFilter()).values().get().isEmpty()) {
        return;
      }
      Thread.sleep(100);
    }
    fail(1, "the broker has not heard of " + right + " for five minutes");
  }

  static void topics(Admin admin, List<String> names, short copies)
      throws Exception {
    List<NewTopic> wanted = names.stream().map(n -> new NewTopic("weir." + n,
        Optional.of(PARTITIONS), Optional.of(copies)))
        .collect(Collectors.toList());
    for (KafkaFuture<Void> made : admin.createTopics(wanted).values().values()) {
      try {
        made.get();
      } catch (ExecutionException e) {
        if (!(e.getCause() instanceof TopicExistsException)) {
          throw e;
        }
      }
    }
  }

  static List<AclBinding> board(String name) {
    ResourcePattern topic = new ResourcePattern(ResourceType.TOPIC,
        "weir." + name, PatternType.LITERAL);
    return List.of(may(name, AclOperation.WRITE, topic),
        may(name, AclOperation.DESCRIBE, topic));
  }

  static List<AclBinding> reader(String name) {
    ResourcePattern topics = new ResourcePattern(ResourceType.TOPIC, "weir.",
        PatternType.PREFIXED);
    return List.of(may(name, AclOperation.READ, topics),
        may(name, AclOperation.DESCRIBE, topics),
        may(name, AclOperation.READ, new ResourcePattern(ResourceType.GROUP,
            "weir-", PatternType.PREFIXED)));
  }

  static AclBinding may(String name, AclOperation what, ResourcePattern where) {
    return new AclBinding(where, new AccessControlEntry("User:" + name, "*",
        what, AclPermissionType.ALLOW));
  }

  // All of them are looked at before anything is changed.
  static List<String> names() throws Exception {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
    List<String> names = in.lines().distinct().collect(Collectors.toList());
    for (String name : names) {
      if (!name.matches(NAME) || List.of("broker", "admin", ".", "..")
          .contains(name)) {
        fail(2, "'" + name + "' is no name for a board or a reader");
      }
    }
    return names;
  }

  static void fail(int status, String why) {
    System.err.println("add-board: " + why);
    System.exit(status);
  }
}
