def test_x(host):
    assert host.service("nginx").is_running
