// Keys of a broker about TLS, tokens and authorization.
#include "config/key_tables.h"

namespace arus::config {
namespace {

using namespace words;

// clang-format off: a table reads best with one key's facts together.
constexpr ConfigKey broker_security_keys_table[] = {
    {.name = "allow.everyone.if.no.acl.found", .type = Type::unknown, .effect = at_restart,
     .internal = true,
     .doc = "Whether a resource that no ACL covers is open to everyone, true or false (the "
            "default). Read by the StandardAuthorizer."},
    {.name = "authorizer.class.name", .importance = low, .effect = at_restart, .fallback = "",
     .doc = "Who decides what is allowed. Empty allows everything; "
            "org.apache.kafka.metadata.authorizer.StandardAuthorizer is the built-in one, which "
            "reads ACLs from the metadata log. Arus refuses to start with any other."},
    {.name = "connection.failed.authentication.delay.ms", .type = int32, .importance = low,
     .fallback = "100", .rule = at_least(0),
     .doc = "How long a connection whose login failed is kept waiting before it is closed."},
    {.name = "connections.max.reauth.ms", .type = int64, .fallback = "0",
     .doc = "The longest life of a SASL login before the client must log in again; 0 is for "
            "ever."},
    {.name = "delegation.token.expiry.check.interval.ms", .type = int64, .importance = low,
     .fallback = "3600000", .rule = at_least(1),
     .doc = "How often expired delegation tokens are looked for."},
    {.name = "delegation.token.expiry.time.ms", .type = int64, .fallback = "86400000",
     .rule = at_least(1),
     .doc = "How long a delegation token is good unless it is renewed."},
    {.name = "delegation.token.max.lifetime.ms", .type = int64, .fallback = "604800000",
     .rule = at_least(1),
     .doc = "After this long a delegation token can no longer be renewed."},
    {.name = "delegation.token.secret.key", .type = password,
     .doc = "The secret that signs delegation tokens; the same on all brokers and controllers."},
    {.name = "principal.builder.class", .type = class_name, .update = per_broker,
     .fallback = "org.apache.kafka.common.security.authenticator.DefaultKafkaPrincipalBuilder",
     .doc = "The Java class that names who is on a connection. Arus has the rules of Kafka's "
            "default one."},
    {.name = "security.inter.broker.protocol", .effect = at_restart, .fallback = "PLAINTEXT",
     .rule = one_of("PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL"),
     .doc = "The security protocol among brokers where inter.broker.listener.name is not given."},
    {.name = "security.providers", .importance = low,
     .doc = "Java security providers. Arus loads no Java classes."},
    {.name = "ssl.allow.dn.changes", .type = boolean, .importance = low, .fallback = "false",
     .doc = "Whether a new certificate may name another owner than the one before."},
    {.name = "ssl.allow.san.changes", .type = boolean, .importance = low, .fallback = "false",
     .doc = "Whether a new certificate may name other hosts than the one before."},
    {.name = "ssl.cipher.suites", .type = list, .update = per_broker, .fallback = "",
     .rule = any_list,
     .doc = "Cipher suites that TLS connections may use; empty is the library's choice."},
    {.name = "ssl.client.auth", .update = per_broker, .fallback = "none",
     .rule = one_of("required, requested, none"),
     .doc = "Whether TLS clients must show a certificate."},
    {.name = "ssl.enabled.protocols", .type = list, .update = per_broker,
     .fallback = "TLSv1.2,TLSv1.3", .rule = any_list,
     .doc = "TLS versions that are accepted."},
    {.name = "ssl.endpoint.identification.algorithm", .importance = low, .update = per_broker,
     .fallback = "https",
     .doc = "How the host name of the other side is checked against its certificate; empty does "
            "not check."},
    {.name = "ssl.engine.factory.class", .type = class_name, .importance = low,
     .update = per_broker,
     .doc = "A Java class that makes TLS connections. Arus loads no Java classes."},
    {.name = "ssl.key.password", .type = password, .update = per_broker,
     .doc = "Password of the private key."},
    {.name = "ssl.keymanager.algorithm", .update = per_broker, .fallback = "SunX509",
     .doc = "Java's name of the algorithm that chooses a certificate."},
    {.name = "ssl.keystore.certificate.chain", .type = password, .update = per_broker,
     .doc = "Certificate chain of this node, in PEM."},
    {.name = "ssl.keystore.key", .type = password, .update = per_broker,
     .doc = "Private key of this node, in PEM."},
    {.name = "ssl.keystore.location", .update = per_broker,
     .doc = "File with the certificate and key of this node."},
    {.name = "ssl.keystore.password", .type = password, .update = per_broker,
     .doc = "Password of the file at ssl.keystore.location."},
    {.name = "ssl.keystore.type", .update = per_broker, .fallback = "JKS",
     .doc = "Format of the file at ssl.keystore.location."},
    {.name = "ssl.principal.mapping.rules", .importance = low, .fallback = "DEFAULT",
     .doc = "Rules that make user names of the subjects of client certificates."},
    {.name = "ssl.protocol", .update = per_broker, .fallback = "TLSv1.3",
     .doc = "TLS version of connections that this node makes."},
    {.name = "ssl.provider", .update = per_broker,
     .doc = "Java security provider of TLS."},
    {.name = "ssl.secure.random.implementation", .importance = low, .update = per_broker,
     .doc = "Java's random generator of TLS."},
    {.name = "ssl.trustmanager.algorithm", .update = per_broker, .fallback = "PKIX",
     .doc = "Java's name of the algorithm that checks certificates."},
    {.name = "ssl.truststore.certificates", .type = password, .update = per_broker,
     .doc = "Certificates that are trusted, in PEM."},
    {.name = "ssl.truststore.location", .update = per_broker,
     .doc = "File with the certificates that are trusted."},
    {.name = "ssl.truststore.password", .type = password, .update = per_broker,
     .doc = "Password of the file at ssl.truststore.location."},
    {.name = "ssl.truststore.type", .update = per_broker, .fallback = "JKS",
     .doc = "Format of the file at ssl.truststore.location."},
    {.name = "super.users", .type = Type::unknown, .effect = at_restart, .internal = true,
     .doc = "Who may do everything whatever the ACLs say, as Type:name separated by semicolons. "
            "Read by the StandardAuthorizer."},
};
// clang-format on

}  // namespace

std::span<const ConfigKey> broker_security_keys() { return broker_security_keys_table; }

}  // namespace arus::config
