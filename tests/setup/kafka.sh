#!/bin/sh
# Puts the jars of Apache Kafka, as pinned in pom.xml, into .cache/kafka/lib for the tests. Does nothing when
# they are there. Needs Java 17 and Maven (system.sh test).
set -eu
# shellcheck source-path=SCRIPTDIR source=steps.sh
. "$(dirname -- "$0")/steps.sh"

pom=$root/tests/setup/pom.xml
version=$(sed -n 's/.*<kafka.version>\(.*\)<.*/\1/p' "$pom")
if up_to_date "$cache/kafka" "$pom"; then
    echo "Apache Kafka $version … present"
    exit 0
fi

new=$cache/kafka.$$
trap 'rm -rf "$new" "$new.link"' EXIT
trap 'exit 130' INT TERM HUP
mkdir -p "$new"
step "fetching Apache Kafka $version (some 70 MB the first time)" \
    mvn -B -q -ntp -f "$pom" dependency:copy-dependencies -DoutputDirectory="$new/lib" -DincludeScope=runtime
publish "$cache/kafka" "$new" "$pom"
trap - EXIT
