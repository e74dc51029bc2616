"""What the runbook says of incidents: its symptoms by procedure, its lines by playbook."""

from __future__ import annotations

SYMPTOMS: dict[str, tuple[str, ...]] = {
    "api_down": ("502/503 errors on API endpoints", "pm2 status shows API offline"),
    "voice_down": ("WebSocket connections failing", "Voice features unavailable"),
    "mongodb_down": ("Database connection errors in logs", "Data not persisting"),
    "redis_down": ("Session errors", "Queue processing stopped", "Cache misses"),
    "high_cpu": ("Slow response times",),
    "high_memory": ("OOM errors",),
    "high_response_time": ("User complaints of slowness",),
}
ALERTS = {
    "high_cpu": "HighCPUUsage",
    "high_memory": "HighMemoryUsage",
    "high_response_time": "HighResponseTime",
}
LINES: dict[str, tuple[str, ...]] = {
    "status": (
        "pm2 status",
        "systemctl status nginx mongod redis",
        "curl -s localhost:9090/api/v1/targets",
        "/var/log/nginx/",
        "/var/log/pm2/",
        "/var/log/mongodb/",
        "/var/log/redis/",
        "/var/log/plugspace/",
    ),
    "api_down": (
        "pm2 status",
        "pm2 logs plugspace-api --lines 100",
        "pm2 restart plugspace-api",
        "lsof -i :4000",
        "free -m",
        "df -h",
        "pm2 restart all",
    ),
    "voice_down": (
        "pm2 status plugspace-voice",
        "netstat -tlnp | grep 4001",
        "pm2 logs plugspace-voice --lines 100",
        "pm2 restart plugspace-voice",
        "redis-cli -a $REDIS_PASSWORD ping",
    ),
    "mongodb_down": (
        "systemctl status mongod",
        "tail -100 /var/log/mongodb/mongod.log",
        "df -h /var/lib/mongodb",
        "systemctl restart mongod",
        'mongosh --eval "rs.status()"',
        'mongosh --eval "rs.initiate()"',
    ),
    "redis_down": (
        "systemctl status redis",
        "redis-cli -a $REDIS_PASSWORD ping",
        "redis-cli -a $REDIS_PASSWORD INFO memory",
        "systemctl restart redis",
        "redis-cli -a $REDIS_PASSWORD CONFIG GET maxmemory",
    ),
    "high_cpu": (
        "top -c",
        "pm2 monit",
        "pm2 restart <app-name>",
        "ps aux --sort=-%cpu | head -20",
        "pm2 scale plugspace-api +2",
    ),
    "high_memory": (
        "free -m",
        "pm2 monit",
        "pm2 restart plugspace-api",
        'pm2 logs plugspace-api --lines 500 | grep -i "memory\\|heap"',
        "Edit /etc/mongod.conf, reduce cacheSizeGB",
        "systemctl restart mongod",
    ),
    "high_response_time": (
        "Check which endpoints are slow: Grafana dashboard or logs",
        'mongosh --eval "db.currentOp()"',
        "redis-cli -a $REDIS_PASSWORD SLOWLOG GET 10",
        "tail -f /var/log/nginx/access.log | grep -v 200",
        "pm2 scale plugspace-api 6",
    ),
    "triage": ("curl -s localhost:9090/api/v1/alerts",),
    "escalate": (
        "Critical: 15 minutes, On-call → Team Lead → CTO",
        "High: 1 hour, On-call → Team Lead",
        "Medium: 4 hours, On-call",
        "Low: 24 hours, Next business day",
        "On-call: See PagerDuty",
        "Infrastructure Lead: infrastructure@plugspace.io",
        "Security Team: security@plugspace.io",
    ),
}
