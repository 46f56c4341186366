#!/usr/bin/python3
"""Arduino's own Python client: CPU time, in seconds, of one published value
over a kept TLS connection. The interpreter's start is not counted.

  arduino_client.py VALUES SECONDS    environment: as board.py; SECONDS between
                                      two values, 0: a tight loop

Says `ready` after a first value and begins when it is given a line."""

import os
import sys
import time

import iot_api_client as iot
from iot_api_client.api import PropertiesV2Api
from iot_api_client.models import PropertyValue

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import board  # noqa: E402


def main():
    cloud = board.Cloud()
    cloud.renew()
    config = iot.Configuration(host=os.environ["CLOUD_URL"])
    config.access_token = cloud.token
    config.ssl_ca_cert = os.environ["CLOUD_CA"]
    api = PropertiesV2Api(iot.ApiClient(config))

    def publish(value):
        api.properties_v2_publish(
            os.environ["THING_ID"], os.environ["FLOWRATE_VARIABLE_ID"],
            PropertyValue(value=float(value)))
    values, pause = int(sys.argv[1]), float(sys.argv[2])
    publish(-1)
    print("ready", flush=True)
    sys.stdin.readline()
    begun = time.process_time()
    for n in range(values):
        time.sleep(pause)
        publish(n)
    print((time.process_time() - begun) / values)


main()
