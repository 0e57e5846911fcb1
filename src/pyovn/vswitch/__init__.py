"""The embedded switch: what ovs-vswitchd does with packets, as a function of its inputs."""
