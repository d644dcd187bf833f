package main

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// callKubernetes watches a namespace's ConfigMaps while it makes one, changes it and takes it away; and lists pods.
func callKubernetes(ctx context.Context, namespace string) any {
	config, err := rest.InClusterConfig()
	check(err)
	client, err := kubernetes.NewForConfig(config)
	check(err)
	maps := client.CoreV1().ConfigMaps(namespace)
	listed, err := maps.List(ctx, metav1.ListOptions{})
	check(err)
	watch, err := maps.Watch(ctx, metav1.ListOptions{ResourceVersion: listed.ResourceVersion})
	check(err)
	defer watch.Stop()
	made, err := maps.Create(ctx, &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: "by-client-go"},
		Data:       map[string]string{"patient": "Maria Gonzalez"},
	}, metav1.CreateOptions{})
	check(err)
	made.Data["mrn"] = "48120937"
	_, err = maps.Update(ctx, made, metav1.UpdateOptions{})
	check(err)
	check(maps.Delete(ctx, made.Name, metav1.DeleteOptions{}))
	events := []string{}
	for event := range watch.ResultChan() {
		if object, ok := event.Object.(*corev1.ConfigMap); ok && object.Name == made.Name {
			events = append(events, string(event.Type)+" "+object.Data["patient"])
		}
		if len(events) == 3 {
			break
		}
	}
	pods, err := client.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{})
	check(err)
	names := []string{}
	for _, pod := range pods.Items {
		names = append(names, pod.Name)
	}
	return map[string]any{"events": events, "pods": names}
}
