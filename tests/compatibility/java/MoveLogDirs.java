// Moves a partition between log directories by Kafka's AdminClient, while records come and go.
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.DescribeReplicaLogDirsResult.ReplicaLogDirInfo;
import org.apache.kafka.clients.admin.LogDirDescription;
import org.apache.kafka.clients.admin.ReplicaInfo;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionReplica;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

public class MoveLogDirs {
    static Admin admin;

    static void claim(String name, boolean holds, String why) {
        System.out.println((holds ? "ok " : "failed ") + name + (holds ? "" : ": " + why));
    }

    static ReplicaLogDirInfo where(TopicPartitionReplica replica) throws Exception {
        return admin.describeReplicaLogDirs(List.of(replica)).values().get(replica)
            .get(20, TimeUnit.SECONDS);
    }

    static Throwable move(TopicPartitionReplica replica, String path) throws Exception {
        try {
            admin.alterReplicaLogDirs(Map.of(replica, path)).all().get(20, TimeUnit.SECONDS);
            return null;
        } catch (ExecutionException error) {
            return error.getCause();
        }
    }

    public static void main(String[] arguments) throws Exception {
        String bootstrap = arguments[0];
        String topic = arguments[1];
        int count = Integer.parseInt(arguments[2]);
        Properties common = new Properties();
        common.put("bootstrap.servers", bootstrap);
        common.put("key.serializer", StringSerializer.class.getName());
        common.put("value.serializer", StringSerializer.class.getName());
        common.put("key.deserializer", StringDeserializer.class.getName());
        common.put("value.deserializer", StringDeserializer.class.getName());
        common.put("linger.ms", "1");
        admin = Admin.create(common);
        TopicPartitionReplica replica = new TopicPartitionReplica(topic, 0, 1);
        Map<String, LogDirDescription> all = admin.describeLogDirs(List.of(1)).allDescriptions()
            .get(20, TimeUnit.SECONDS).get(1);
        String from = where(replica).getCurrentReplicaLogDir();
        String to = all.keySet().stream().filter(path -> !path.equals(from)).findFirst().get();

        KafkaProducer<String, String> producer = new KafkaProducer<>(common);
        List<Future<RecordMetadata>> sent = new ArrayList<>();
        for (int i = 0; i < count; ++i) {
            sent.add(producer.send(new ProducerRecord<>(topic, 0, null, "" + i)));
        }
        producer.flush();

        Throwable nowhere = move(replica, "/no/such/directory");
        claim("unknown-directory", nowhere != null
              && nowhere.getClass().getSimpleName().equals("LogDirNotFoundException"), "" + nowhere);
        Throwable nothing = move(new TopicPartitionReplica("no-such-topic", 0, 1), to);
        claim("unknown-topic", nothing != null
              && nothing.getClass().getSimpleName().equals("ReplicaNotAvailableException"),
              "" + nothing);
        Throwable error = move(replica, to);
        claim("accepted", error == null, "" + error);
        boolean future = false;
        long deadline = System.currentTimeMillis() + 60_000;
        int next = count;
        ReplicaLogDirInfo now = where(replica);
        while (!to.equals(now.getCurrentReplicaLogDir()) && System.currentTimeMillis() < deadline) {
            future = future || to.equals(now.getFutureReplicaLogDir());
            for (int i = 0; i < 20; ++i, ++next) {
                sent.add(producer.send(new ProducerRecord<>(topic, 0, null, "" + next)));
            }
            Thread.sleep(5);
            now = where(replica);
        }
        claim("moved", to.equals(now.getCurrentReplicaLogDir()), "" + now);
        claim("seen-on-its-way", future, "no future replica was described");
        claim("no-future-left", now.getFutureReplicaLogDir() == null, "" + now);
        for (int i = 0; i < 100; ++i, ++next) {
            sent.add(producer.send(new ProducerRecord<>(topic, 0, null, "" + next)));
        }
        producer.flush();
        long offset = 0;
        String wrong = null;
        for (Future<RecordMetadata> each : sent) {
            try {
                long got = each.get(1, TimeUnit.SECONDS).offset();
                if (got != offset++ && wrong == null) wrong = "offset " + got;
            } catch (Exception failed) {
                if (wrong == null) wrong = failed.toString();
            }
        }
        claim("every-record-acknowledged-once", wrong == null, wrong);
        producer.close();

        KafkaConsumer<String, String> consumer = new KafkaConsumer<>(common);
        TopicPartition partition = new TopicPartition(topic, 0);
        consumer.assign(List.of(partition));
        consumer.seekToBeginning(List.of(partition));
        long at = 0;
        deadline = System.currentTimeMillis() + 30_000;
        while (at < next && System.currentTimeMillis() < deadline) {
            for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofSeconds(1))) {
                if (!record.value().equals("" + at)) break;
                ++at;
            }
        }
        claim("all-records-in-order", at == next, at + " of " + next);
        consumer.close();
        Map<String, LogDirDescription> after = admin.describeLogDirs(List.of(1)).allDescriptions()
            .get(20, TimeUnit.SECONDS).get(1);
        ReplicaInfo info = after.get(to).replicaInfos().get(partition);
        claim("described", info != null && info.size() > 0 && !info.isFuture()
              && !after.get(from).replicaInfos().containsKey(partition), "" + after);
        claim("space-is-told", after.get(to).totalBytes().getAsLong() > 0
              && after.get(to).usableBytes().getAsLong() > 0, "" + after);
        admin.close();
    }
}
